import { lazy } from "react";
import { Route, Switch } from "wouter";

const PlaylistList = lazy(async () => ({ default: (await import("./list.tsx")).PlaylistList }));
const PlaylistPage = lazy(() => import("./playlist-page.tsx"));

/** Playlists: all of them, and the editor of one. */
export default function PlaylistPages() {
  return (
    <Switch>
      <Route path="/playlists/:id">{({ id }) => <PlaylistPage key={id} id={id} />}</Route>
      <Route>
        <PlaylistList />
      </Route>
    </Switch>
  );
}
