// The picture as it leaves in a file: every column, with title, row names and keys, whatever the window shows.

import { add, put } from "../shared/dom.js";
import { titleOf } from "./captions.js";
import { buildColumn, patchColumn } from "./column.js";
import { hatching } from "./marks.js";
import { buildRolled, patchRolled } from "./rolled.js";
import { drawKey, keysOf, patchSide, SIDE } from "./sides.js";

export function printed(parent, numbers, layout, view, folded) {
  const { data } = numbers;
  const { colors } = view;
  const wider = 1.4; // a file cannot bring the page's typeface along
  const [top, margin] = [58, 12];
  const left = SIDE.wide + 26;
  const keys = keysOf(numbers, colors);
  const width = Math.max(560, left + layout.width + margin);
  const sheet = add(parent, "svg", "sheet");
  sheet.classList.add("whole");
  hatching(sheet, colors);
  put(add(sheet, "text", "print-title", { x: margin, y: 22, fill: colors.ink }), {}, titleOf(data, folded));
  const whose = `${data.letter ? `${data.letter}: ` : ""}${data.run}, ${data.cell}, step ${data.step.toLocaleString("en")}`;
  put(add(sheet, "text", "print-caption", { x: margin, y: 42, fill: colors.ink }), {}, whose);
  const side = add(sheet, "svg", "side", { y: top });
  patchSide(side, numbers, layout, colors, left);
  const body = add(sheet, "g", "", { transform: `translate(${left} ${top})` });
  if (folded) patchRolled(buildRolled(body, numbers, layout), numbers, layout, view);
  else for (let t = -1; t < numbers.length; t++) patchColumn(buildColumn(body, numbers, layout, t), numbers, layout, t, view);
  let [x, y] = [margin, top + layout.height + 14];
  keys.forEach((key, place) => {
    const group = add(sheet, "g");
    const wide = drawKey(group, key, `print-${place}`, wider);
    if (x > margin && x + wide > width - margin) [x, y] = [margin, y + 44];
    group.setAttribute("transform", `translate(${x} ${y})`);
    x += wide + 14;
  });
  const height = y + 48;
  put(sheet, { width, height, viewBox: `0 0 ${width} ${height}` });
  return sheet;
}
