/** Secrets and variables that may be absent, which `wrangler types` cannot say. */
interface Env {
  /** The token secret before the last rotation, for as long as its tokens live. */
  DEVICE_TOKEN_SECRET_PREVIOUS?: string;
  /** A token that may read `/metrics` and nothing else, for the program that collects them. */
  METRICS_TOKEN?: string;
  /** The team's domain and the application's audience tag, where Cloudflare Access stands in front of the console. */
  ACCESS_TEAM_DOMAIN?: string;
  ACCESS_AUD?: string;
}
