/** What the SDK needs of browsers: storage in IndexedDB, one player at a time by Web Locks. */
export { BrowserFiles } from "./files.ts";
export { BrowserQueue } from "./queue.ts";
export { BrowserStorage, type BrowserStorageOptions, openBrowserStorage } from "./storage.ts";
