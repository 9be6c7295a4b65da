import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { auditRoutes } from "../src/audit/log.ts";
import { accountRoutes } from "../src/auth/account-routes.ts";
import { requireAdmin } from "../src/auth/admin.ts";
import { behindAccess } from "../src/auth/cloudflare-access.ts";
import { invitationRoutes } from "../src/auth/invitations-routes.ts";
import { linkRoutes } from "../src/auth/link-routes.ts";
import { fromConsole, signInRoutes } from "../src/auth/sign-in-routes.ts";
import { tokenRoutes } from "../src/auth/tokens-routes.ts";
import { userRoutes } from "../src/auth/users-routes.ts";
import { adGroupRoutes } from "../src/campaigns/ad-groups.ts";
import { campaignRoutes } from "../src/campaigns/campaigns.ts";
import { contentRoutes } from "../src/content/content.ts";
import { downloadRoutes } from "../src/content/download.ts";
import { carriesFile, uploadRoutes } from "../src/content/upload.ts";
import { multipartRoutes } from "../src/content/uploads-routes.ts";
import { versionRoutes } from "../src/content/versions.ts";
import { versionViewRoutes } from "../src/content/versions-view.ts";
import { claimsRoutes } from "../src/devices/claims-routes.ts";
import { clockRoutes } from "../src/devices/clock.ts";
import { commandRoutes } from "../src/devices/commands-routes.ts";
import { deviceRoutes } from "../src/devices/devices.ts";
import { groupRoutes } from "../src/devices/groups.ts";
import { heartbeatRoutes } from "../src/devices/heartbeat-routes.ts";
import { pairingRoutes } from "../src/devices/pairing-routes.ts";
import { revokeRoutes } from "../src/devices/revoke.ts";
import { screenshotRoutes } from "../src/devices/screenshots.ts";
import { describeApi } from "../src/docs/openapi.ts";
import { docsRoutes } from "../src/docs/routes.ts";
import { metricsRoutes } from "../src/monitoring/metrics-routes.ts";
import { overviewRoutes } from "../src/monitoring/overview.ts";
import { incidentRoutes } from "../src/monitoring/routes.ts";
import { planRoutes } from "../src/plans/routes.ts";
import { Problem } from "../src/platform/errors.ts";
import { healthRoutes } from "../src/platform/health.ts";
import { type AppEnv, correlate, createRouter, onError } from "../src/platform/http.ts";
import { CONSOLE, PLAYER, pageRoutes } from "../src/platform/pages.ts";
import { inSpan } from "../src/platform/spans.ts";
import { playlistItemRoutes } from "../src/playlists/items-routes.ts";
import { playlistRoutes } from "../src/playlists/playlists.ts";
import { replayRoutes } from "../src/plays/archive/replay-routes.ts";
import { archiveStateRoutes } from "../src/plays/archive/state.ts";
import { eventRoutes } from "../src/plays/intake/event-routes.ts";
import { playLogRoutes } from "../src/plays/intake/play-log-routes.ts";
import { refusalRoutes } from "../src/plays/intake/refusals.ts";
import { pipelineRoutes } from "../src/plays/ledger/pipeline.ts";
import { queuesInUse } from "../src/plays/queues.ts";
import { inspectRoutes } from "../src/plays/sequencer/inspect.ts";
import { analyticsRoutes } from "../src/reports/analytics-routes.ts";
import { deviceActivityRoutes } from "../src/reports/device-activity.ts";
import { devicePlayRoutes } from "../src/reports/device-plays.ts";
import { plannedReports } from "../src/reports/planned-routes.ts";
import { playsRoutes } from "../src/reports/plays-routes.ts";
import { reports } from "../src/reports/routes.ts";
import { scheduleRoutes } from "../src/schedules/schedules.ts";
import { storeRoutes } from "../src/stores/stores.ts";
import { supplierRoutes } from "../src/stores/suppliers.ts";
import { streamRoutes } from "../src/stream/routes.ts";
import { tellAfterChanges } from "../src/stream/tell.ts";
import { takeoverRoutes } from "../src/takeovers/routes.ts";
import { telemetryRoutes } from "../src/telemetry/receive.ts";
import { webhookRoutes } from "../src/webhooks/routes.ts";

/** The Worker's HTTP side: middleware in order, then each feature's routes. No rule of the product stands here. */
export const app = createRouter();

const ADMIN_BODY_MAX_BYTES = 1024 * 1024;

const adminBodyLimit = bodyLimit({
  maxSize: ADMIN_BODY_MAX_BYTES,
  onError: () => {
    throw new Problem("payload-too-large", `The body may have ${ADMIN_BODY_MAX_BYTES} bytes at most.`);
  },
});

/** Keeps what only administrators may see out of every cache. */
const privately: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.header("Cache-Control", "no-store");
};

/** Players run on pages of any origin; they show a token and never a cookie, so no credentials are allowed. */
const crossOrigin = cors({
  origin: "*",
  allowHeaders: [
    "Authorization",
    "Content-Type",
    "Sent-At",
    "Batch-Signature",
    "X-Correlation-Id",
    "Idempotency-Key",
    "If-None-Match",
    "Range",
    "If-Range",
  ],
  exposeHeaders: ["X-Correlation-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "Accept-Ranges", "Content-Range"],
  maxAge: 86_400,
});

/** These headers cost copies of the answer. A report whose sender names no origin is no browser's, and its answer is kept by no cache. */
const deviceCors: MiddlewareHandler<AppEnv> = (c, next) =>
  c.req.method === "POST" && !c.req.raw.headers.has("Origin") ? next() : crossOrigin(c, next);

app.onError(onError);
app.notFound((c) => onError(new Problem("not-found", `There is nothing at ${c.req.method} ${c.req.path}.`), c));

app.use(correlate);
app.use("/v1/device/*", deviceCors);
app.use("/api/v1/playback-logs", deviceCors);
app.use("/api/v1/playback-logs/*", deviceCors);
app.use("/telemetry/*", deviceCors);
// `/*` takes what stands before it, too.
for (const door of ["/api/v1/playback-logs/*", "/v1/device/events", "/v1/device/impressions", "/telemetry/*"])
  app.use(door, (_c, next) => inSpan("telemetry.ingest", next));
app.use("/v1/admin/*", secureHeaders(), privately, requireAdmin, tellAfterChanges);
// Files are no JSON: their routes have limits of their own, and must see the body before anybody holds it in memory.
app.use("/v1/admin/*", (c, next) => (carriesFile(c.req.path) ? next() : adminBodyLimit(c, next)));

app.use("/console/*", behindAccess);
app.use("/api/auth/*", secureHeaders(), privately, adminBodyLimit, fromConsole);
app.use("/v1/invitations/*", secureHeaders(), privately, adminBodyLimit, fromConsole);

// One line for each feature's router.
app.route("/", healthRoutes(queuesInUse));
app.route(
  "/",
  docsRoutes(() => describeApi(app)),
);
app.route("/", supplierRoutes);
app.route("/", storeRoutes);
app.route("/", groupRoutes);
app.route("/", deviceRoutes);
app.route("/", pairingRoutes);
app.route("/", claimsRoutes);
app.route("/", revokeRoutes);
app.route("/", clockRoutes);
app.route("/", heartbeatRoutes);
app.route("/", streamRoutes);
app.route("/", commandRoutes);
app.route("/", screenshotRoutes);
app.route("/", metricsRoutes);
app.route("/", incidentRoutes);
app.route("/", campaignRoutes);
app.route("/", adGroupRoutes);
app.route("/", contentRoutes);
app.route("/", uploadRoutes);
app.route("/", versionRoutes);
app.route("/", versionViewRoutes);
app.route("/", multipartRoutes);
app.route("/", downloadRoutes);
app.route("/", playlistRoutes);
app.route("/", playlistItemRoutes);
app.route("/", scheduleRoutes);
app.route("/", takeoverRoutes);
app.route("/", planRoutes);
app.route("/", webhookRoutes);
app.route("/", tokenRoutes);
app.route("/", signInRoutes);
app.route("/", linkRoutes);
app.route("/", accountRoutes);
app.route("/", userRoutes);
app.route("/", invitationRoutes);
app.route("/", auditRoutes);
app.route("/", playLogRoutes);
app.route("/", eventRoutes);
app.route("/", telemetryRoutes);
app.route("/", inspectRoutes);
app.route("/", pipelineRoutes);
app.route("/", refusalRoutes);
app.route("/", archiveStateRoutes);
app.route("/", replayRoutes);
app.route("/", reports);
app.route("/", plannedReports);
app.route("/", playsRoutes);
app.route("/", analyticsRoutes);
app.route("/", devicePlayRoutes);
app.route("/", deviceActivityRoutes);
app.route("/", overviewRoutes);
app.route("/", pageRoutes(CONSOLE));
app.route("/", pageRoutes(PLAYER));

export type AppType = typeof app;
