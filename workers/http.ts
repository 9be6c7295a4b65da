import { Problem } from "../src/platform/errors.ts";
import { correlate, createRouter, onError } from "../src/platform/http.ts";

/** The Worker's HTTP side: middleware in order, then each feature's routes. No rule of the product stands here. */
export const app = createRouter();

app.use(correlate);
app.onError(onError);
app.notFound((c) => onError(new Problem("not-found", `There is nothing at ${c.req.method} ${c.req.path}.`), c));

export type AppType = typeof app;
