// What the visitor has chosen and the server has not answered yet. A choice counts at once; it is told in words that
// are counted and repeat all that is unanswered, and no answer older than the newest word takes it back.
const GAP = 100; // ms between two words at least
const PATIENCE = 1000; // ms a word waits, while more is being chosen, for what the one before it asked for to be drawn
const BELIEF = 2000; // ms a place that was chosen elsewhere is believed without the server
const LOOK = 25; // ms between two looks whether a word may go

function conversation(tell, onChange) {
  const open = new Map(); // name -> {value, count}; count 0 is not told yet
  let server = {};
  let elsewhere = null; // {place, before, timer}: what another component has told the server, which knows `before`
  let [count, heard] = [0, 0];
  let [toldAt, chosenAt] = [-Infinity, -Infinity];
  let timer = 0;

  function shown() {
    const values = { ...server, ...elsewhere?.place };
    for (const [name, { value }] of open) values[name] = value;
    return values;
  }

  // `settled`: nothing more is coming, so the word need not wait for the one before it.
  function choose(values, settled = false) {
    const all = { ...elsewhere?.place, ...values };
    for (const [name, value] of Object.entries(all)) {
      if (elsewhere || open.has(name) || server[name] !== value) open.set(name, { value, count: 0 });
    }
    forget();
    chosenAt = settled ? -Infinity : performance.now();
    say();
    onChange();
  }

  function say() {
    clearTimeout(timer);
    if (![...open.values()].some((entry) => !entry.count)) return;
    if (!due(performance.now())) {
      timer = setTimeout(say, LOOK);
      return;
    }
    count += 1;
    toldAt = performance.now();
    const word = { count };
    for (const [name, entry] of open) {
      entry.count = count;
      word[name] = entry.value;
    }
    tell(word);
  }

  // While choices keep coming, each word waits until the last was drawn: otherwise none ever would be.
  function due(now) {
    if (now - toldAt < GAP) return false;
    const waits = [...open.values()].some((entry) => entry.count) || drawing();
    return !waits || now - chosenAt >= GAP || now - toldAt >= PATIENCE;
  }

  // Another component has told the server of a place. Where a word of ours is on its way, it could overtake that.
  function overhear(place) {
    forget();
    const names = Object.keys(place);
    if (names.some((name) => open.has(name))) return choose(place, true);
    const before = Object.fromEntries(names.map((name) => [name, server[name]]));
    elsewhere = { place, before, timer: setTimeout(doubt, BELIEF) };
    onChange();
  }

  function doubt() {
    if (drawing()) {
      elsewhere.timer = setTimeout(doubt, LOOK);
      return;
    }
    forget();
    onChange();
  }

  function forget() {
    clearTimeout(elsewhere?.timer);
    elsewhere = null;
  }

  function hear(values, given) {
    const forgotten = given < heard; // a new session on the server's side
    for (const [name, entry] of open) if (entry.count && (forgotten || entry.count <= given)) open.delete(name);
    [heard, count] = [given, Math.max(count, given)];
    server = values;
    if (elsewhere && Object.keys(elsewhere.place).some((name) => values[name] !== elsewhere.before[name])) forget();
    say();
  }

  return {
    choose,
    hear,
    overhear,
    shown,
    settle: () => ((chosenAt = -Infinity), say()),
    answered: () => open.size === 0 && !drawing(),
    stop: () => (clearTimeout(timer), forget()),
  };
}

// The answer comes before the pictures below are drawn; until they are, Streamlit says so at the top of its page.
function drawing() {
  const app = document.querySelector("[data-testid=stApp]");
  return ["running", "rerunRequested"].includes(app?.dataset.testScriptState);
}
