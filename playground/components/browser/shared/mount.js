// A component's entry: `start(root, send)` is called once where it is mounted and gives { load, stop }; `load` takes each
// new data, `send` a message for the server.

export function mounted(start) {
  const known = new WeakMap();
  return ({ data, parentElement, setStateValue }) => {
    if (!known.has(parentElement)) {
      const one = { set: setStateValue };
      one.running = start(parentElement, (message) => one.set("chosen", message));
      known.set(parentElement, one);
    }
    const one = known.get(parentElement);
    one.set = setStateValue; // Streamlit gives another one with each data
    one.running.load(data);
    return () => {
      // Streamlit also calls this when newer data came while a module was being loaded: the component stays then.
      if (parentElement.isConnected) return;
      one.running.stop?.();
      known.delete(parentElement);
    };
  };
}
