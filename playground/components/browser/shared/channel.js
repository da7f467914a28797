// What the components of a page tell each other, without the server: "place", the timestep, layer and unit that were
// chosen; "term", the quantity that is looked at; "scroll", the timestep at the left edge.

// `hear` is called with what others tell.
export function channel(name, hear) {
  let telling = false;
  const listen = ({ detail }) => {
    if (!telling && detail) hear(detail);
  };
  window.addEventListener(`unrolled:${name}`, listen);
  return {
    tell(detail) {
      telling = true;
      window.dispatchEvent(new CustomEvent(`unrolled:${name}`, { detail }));
      telling = false;
    },
    stop: () => window.removeEventListener(`unrolled:${name}`, listen),
  };
}

export const AXES = ["t", "layer", "unit"];

// The channel "place": `hear` is called with those axes that are whole numbers.
export function placeChannel(hear) {
  return channel("place", (told) => hear(Object.fromEntries(AXES.filter((axis) => Number.isInteger(told[axis])).map((axis) => [axis, told[axis]]))));
}
