/** The style of every page that the Worker renders itself: quiet, dense, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1f23; --muted: #5b6470; --line: #d9dee3; --back: #ffffff; --code: #f4f6f8; --accent: #0b6b6b; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7ea; --muted: #9aa4af; --line: #30363d; --back: #14171a; --code: #1d2125; --accent: #4fb8b8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.55 system-ui, sans-serif; }
header { display: flex; gap: 24px; align-items: baseline; padding: 12px 24px; border-bottom: 1px solid var(--line); }
header > a { font-weight: 600; color: var(--text); }
nav { display: flex; gap: 16px; flex-wrap: wrap; }
main { max-width: 960px; padding: 16px 24px 64px; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
h1 { font-size: 26px; margin: 16px 0 8px; }
h2 { font-size: 20px; margin: 32px 0 8px; padding-top: 8px; border-top: 1px solid var(--line); }
h3 { font-size: 16px; margin: 24px 0 4px; }
h4 { font-size: 13px; margin: 16px 0 4px; color: var(--muted); }
code, pre { font: 13px/1.5 ui-monospace, monospace; background: var(--code); border-radius: 6px; }
code { padding: 1px 4px; overflow-wrap: anywhere; }
pre { padding: 12px; overflow-x: auto; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
td:first-child code { white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 500; }
.method { display: inline-block; min-width: 56px; font: 600 12px/1.5 ui-monospace, monospace; color: var(--accent); }
.muted { color: var(--muted); }
.toc { columns: 2; }
@media (max-width: 640px) { .toc { columns: 1; } }
`;
