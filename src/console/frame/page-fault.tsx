import { Component, type ReactNode } from "react";
import { ApiError } from "../api/error.ts";
import { Fault } from "../parts/fault.tsx";

/**
 * Holds a page that failed to be drawn, or whose script could not be fetched: after a new version was deployed, the old version's files
 * are gone.
 */
export class PageFault extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const missing = error instanceof TypeError && /import|module/i.test(error.message);
    const shown = missing
      ? new ApiError(0, "PAGE_GONE", "A newer version is out", "Reload to get it. Nothing of yours is lost that was saved.", null)
      : error;
    return <Fault error={shown} retry={() => location.reload()} />;
  }
}
