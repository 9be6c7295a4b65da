/** What the SDK needs of Bun and Node: storage in a file of SQLite, media in a folder. */
export { FolderFiles } from "./folder-files.ts";
export { openSqlite, type SqliteDatabase, type SqliteOptions, type SqlValue } from "./sqlite.ts";
export { SqliteFiles } from "./sqlite-files.ts";
export { SqliteQueue } from "./sqlite-queue.ts";
export { openSqliteStorage, SqliteStorage, type SqliteStorageOptions } from "./storage.ts";
