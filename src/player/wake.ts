/** Keeps the screen from going dark, as long as the page is seen. Returns how that stands, for the status. */
export function keepAwake(): () => string {
  if (!("wakeLock" in navigator)) return () => "not offered by this browser";
  let lock: WakeLockSentinel | null = null;
  let refused: string | null = null;
  const ask = async () => {
    // A browser takes it back whenever the page is hidden.
    if (document.visibilityState !== "visible" || (lock && !lock.released)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
      refused = null;
    } catch (error) {
      refused = error instanceof Error ? error.message : String(error);
    }
  };
  document.addEventListener("visibilitychange", () => void ask());
  void ask();
  return () => (lock && !lock.released ? "held" : (refused ?? "not held"));
}
