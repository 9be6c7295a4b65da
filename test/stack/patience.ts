import { setDefaultTimeout } from "bun:test";

// For machines that are slow or busy: nothing that passes takes this long.
setDefaultTimeout(300_000);
