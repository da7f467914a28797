import { drawTokens, listen } from "./tokens.js";

export default function ({ data, parentElement, setTriggerValue }) {
  const page = drawTokens(parentElement, data);
  listen(page, data.choosable ? (choice) => setTriggerValue("chosen", choice) : null);
}
