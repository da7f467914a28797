// What the components of a page send each other, without the server: "place", the timestep, layer and unit that were
// chosen; "term", the quantity that is looked at; "scroll", the timestep at the left edge.

// `onMessage` is called with what others send.
export function channel(name, onMessage) {
  let sending = false;
  const listen = ({ detail }) => {
    if (!sending && detail) onMessage(detail);
  };
  window.addEventListener(`unrolled:${name}`, listen);
  return {
    send(detail) {
      sending = true;
      window.dispatchEvent(new CustomEvent(`unrolled:${name}`, { detail }));
      sending = false;
    },
    stop: () => window.removeEventListener(`unrolled:${name}`, listen),
  };
}

export const AXES = ["t", "layer", "unit"];

// The channel "place": `onMessage` is called with those axes that are whole numbers.
export function placeChannel(onMessage) {
  return channel("place", (sent) => onMessage(Object.fromEntries(AXES.filter((axis) => Number.isInteger(sent[axis])).map((axis) => [axis, sent[axis]]))));
}
