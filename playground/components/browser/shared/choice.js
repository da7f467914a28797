// What the visitor has chosen and the server has not acknowledged yet. A choice counts at once; it is sent in a message
// that is numbered and repeats all that is not acknowledged, and no answer older than the newest message takes it back.
const GAP = 100; // ms between two messages at least
const PATIENCE = 1000; // ms a message waits, while more is being chosen, for what the one before it asked for to be drawn
const TRUSTED = 2000; // ms a place that another component chose is shown without the server
const LOOK = 25; // ms between two looks whether a message may go

// `send` takes a message; `changed` is called when what is chosen changes here or elsewhere on the page.
export function choices(send, changed) {
  const open = new Map(); // name -> {value, count}; count 0 is not sent yet
  let server = {};
  let elsewhere = null; // {values, before, timer}: what another component has sent to the server, which knows `before`
  let [count, acknowledged] = [0, 0];
  let [sentAt, chosenAt] = [-Infinity, -Infinity];
  let timer = 0;

  function shown() {
    const values = { ...server, ...elsewhere?.values };
    for (const [name, { value }] of open) values[name] = value;
    return values;
  }

  // `settled`: nothing more is coming, so the message need not wait for the one before it.
  function choose(values, settled = false) {
    const all = { ...elsewhere?.values, ...values };
    for (const [name, value] of Object.entries(all)) {
      if (elsewhere || open.has(name) || server[name] !== value) open.set(name, { value, count: 0 });
    }
    forget();
    chosenAt = settled ? -Infinity : performance.now();
    sendIfDue();
    changed();
  }

  function sendIfDue() {
    clearTimeout(timer);
    if (![...open.values()].some((entry) => !entry.count)) return;
    if (!due(performance.now())) {
      timer = setTimeout(sendIfDue, LOOK);
      return;
    }
    count += 1;
    sentAt = performance.now();
    const message = { count };
    for (const [name, entry] of open) {
      entry.count = count;
      message[name] = entry.value;
    }
    send(message);
  }

  // While choices keep coming, each message waits until the last was drawn: otherwise none ever would be.
  function due(now) {
    if (now - sentAt < GAP) return false;
    const waits = [...open.values()].some((entry) => entry.count) || drawing();
    return !waits || now - chosenAt >= GAP || now - sentAt >= PATIENCE;
  }

  // Another component has sent these to the server. Where a message of ours is on its way, it could overtake that.
  function receive(values) {
    forget();
    const names = Object.keys(values);
    if (names.some((name) => open.has(name))) return choose(values, true);
    const before = Object.fromEntries(names.map((name) => [name, server[name]]));
    elsewhere = { values, before, timer: setTimeout(expire, TRUSTED) };
    changed();
  }

  function expire() {
    if (drawing()) {
      elsewhere.timer = setTimeout(expire, LOOK);
      return;
    }
    forget();
    changed();
  }

  function forget() {
    clearTimeout(elsewhere?.timer);
    elsewhere = null;
  }

  // What the server has, and the number of the last message that it has taken into account.
  function acknowledge(values, given) {
    const forgotten = given < acknowledged; // a new session on the server's side
    for (const [name, entry] of open) if (entry.count && (forgotten || entry.count <= given)) open.delete(name);
    [acknowledged, count] = [given, Math.max(count, given)];
    server = values;
    if (elsewhere && Object.keys(elsewhere.values).some((name) => values[name] !== elsewhere.before[name])) forget();
    sendIfDue();
  }

  return {
    choose,
    acknowledge,
    receive,
    shown,
    settle: () => ((chosenAt = -Infinity), sendIfDue()),
    answered: () => open.size === 0 && !drawing(),
    stop: () => (clearTimeout(timer), forget()),
  };
}

// The answer comes before the pictures below are drawn; until they are, Streamlit says so at the top of its page.
function drawing() {
  const app = document.querySelector("[data-testid=stApp]");
  return ["running", "rerunRequested"].includes(app?.dataset.testScriptState);
}
