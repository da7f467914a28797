// What was chosen by key is said aloud, once nothing has been chosen for a moment.

import { setText } from "./dom.js";

const QUIET = 700; // ms of rest

// Takes a function that gives the words, into an element with the role "status"; null keeps it from speaking.
export function announcer(region) {
  let timer = 0;
  return (words) => {
    clearTimeout(timer);
    if (words) timer = setTimeout(() => setText(region, words()), QUIET);
  };
}
