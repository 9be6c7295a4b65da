import { Skeleton, Stack } from "@mantine/core";

/** What stands there until it is known who is signed in: the shape of the frame. */
export function FrameSkeleton() {
  return (
    <div className="frame-waiting" role="status" aria-label="Loading the console">
      <div className="frame-nav" />
      <PageSkeleton />
    </div>
  );
}

/** A page that is on its way. */
export function PageSkeleton() {
  return (
    <Stack gap="sm" aria-hidden>
      <Skeleton height={22} width={180} />
      <Skeleton height={14} width={360} />
      <Skeleton height={320} mt="md" />
    </Stack>
  );
}
