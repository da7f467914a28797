import pytest

from playground.runs.settings import AppSettings, AppSettingsError, describe


def test_defaults_are_safe_and_there_without_any_variable() -> None:
    settings = AppSettings.from_environment({})
    assert settings.store.startswith("sqlite:///")
    assert settings.workers >= 1
    assert settings.training_threads >= 1
    assert settings == AppSettings()


def test_variables_replace_defaults() -> None:
    settings = AppSettings.from_environment({"UNROLLED_WORKERS": "3", "UNROLLED_MAX_SECONDS": " 12.5 ", "OTHER": "x"})
    assert (settings.workers, settings.max_seconds) == (3, 12.5)


def test_empty_variables_count_as_unset() -> None:
    assert AppSettings.from_environment({"UNROLLED_WORKERS": ""}) == AppSettings()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("UNROLLED_WORKERS", "two", "set it to a whole number"),
        ("UNROLLED_WORKERS", "0", "from 1 to 256"),
        ("UNROLLED_MAX_SECONDS", "nan", "from 1 to 86,400"),
        ("UNROLLED_LINGER", "soon", "set it to a number"),
        ("UNROLLED_EXECUTOR", "ray", "choose one of local"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str, said: str) -> None:
    with pytest.raises(AppSettingsError, match=said) as refused:
        AppSettings.from_environment({name: value})
    assert name in str(refused.value)


def test_settings_survive_the_way_through_an_environment() -> None:
    settings = AppSettings(store="sqlite:////tmp/a b.sqlite", workers=3, linger=0.5, max_queue=0)
    assert AppSettings.from_environment(settings.to_environment({})) == settings


def test_every_setting_is_described() -> None:
    rows = list(describe())
    assert len(rows) == len({name for name, *_ in rows})
    assert all(name.startswith("UNROLLED_") and default and meaning for name, default, meaning in rows)


def test_threads_are_shared_among_workers_unless_set() -> None:
    assert AppSettings(workers=256).training_threads == 1
    assert AppSettings(threads=5).training_threads == 5
