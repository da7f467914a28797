// A component's entry: `start(root, send)` is called once where it is mounted and gives { load, stop }; `load` takes each
// new data, `send` a message for the server.

export function mounted(start) {
  const known = new WeakMap();
  return ({ data, parentElement, setStateValue }) => {
    if (!parentElement.isConnected) return null; // the visitor went on while a module was being loaded
    if (!known.has(parentElement)) {
      const one = { set: setStateValue };
      one.running = start(parentElement, (message) => one.set("chosen", message));
      known.set(parentElement, one);
    }
    const one = known.get(parentElement);
    one.set = setStateValue; // Streamlit gives another one with each data
    const stop = () => {
      one.running.stop?.();
      known.delete(parentElement);
    };
    try {
      one.running.load(data);
    } catch (error) {
      stop(); // Streamlit puts the error in its place
      throw error;
    }
    // Streamlit also calls this when newer data came while a module was being loaded: the component stays then.
    return () => parentElement.isConnected || stop();
  };
}
