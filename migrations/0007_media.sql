-- Files of content in R2: which of them a device may have is asked by their hash.
CREATE INDEX content_versions_sha256 ON content_versions(sha256);
