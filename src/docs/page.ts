import type { Context, MiddlewareHandler } from "hono";
import { html } from "hono/html";
import { secureHeaders } from "hono/secure-headers";
import type { HtmlEscapedString } from "hono/utils/html";
import type { AppEnv } from "../platform/http.ts";

/** A piece of HTML in which everything that came from outside is escaped: made by hono's `html` only. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export const STYLE_PATH = "/docs/style.css";

/**
 * The headers of every page: nothing from another origin, no script at all, no frame around it.
 * (`secureHeaders` sets no Content-Security-Policy unless told.)
 */
export const pageHeaders: MiddlewareHandler<AppEnv> = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
});

/** Answers with a page of the documentation. */
export async function answerPage(c: Context<AppEnv>, title: string, body: Html): Promise<Response> {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Alive Signage</title>
<link rel="stylesheet" href="${STYLE_PATH}">
<link rel="icon" href="data:,">
</head>
<body>
<header><a href="/docs">Alive Signage</a><nav><a href="/docs">Guides</a><a href="/docs/api">API</a><a href="/docs/errors">Errors</a><a href="/openapi.json">openapi.json</a></nav></header>
<main>${body}</main>
</body>
</html>`;
  return c.html(await page, 200, { "Cache-Control": "public, max-age=300" });
}
