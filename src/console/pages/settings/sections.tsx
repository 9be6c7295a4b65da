import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { type Me, may, useMe } from "../../api/me.ts";
import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";

interface Section {
  path: string;
  title: string;
  /** Whether the server lets this person read it. */
  readable: (me: Me) => boolean;
  /** Who does see it, for those who do not. */
  whose: string;
}

const isAdministrator = (me: Me) => may(me, "administer");
const seesAll = (me: Me) => me.scope === null;

const SECTIONS = {
  users: { path: "/settings/users", title: "Users", readable: isAdministrator, whose: "Only administrators see users." },
  invitations: {
    path: "/settings/invitations",
    title: "Invitations",
    readable: isAdministrator,
    whose: "Only administrators see invitations.",
  },
  tokens: { path: "/settings/tokens", title: "API tokens", readable: isAdministrator, whose: "Only administrators see API tokens." },
  webhooks: {
    path: "/settings/webhooks",
    title: "Webhooks",
    readable: seesAll,
    whose: "Webhooks tell of the whole network, and you see a part of it.",
  },
  groups: { path: "/settings/groups", title: "Device groups", readable: () => true, whose: "" },
  suppliers: {
    path: "/settings/suppliers",
    title: "Suppliers",
    readable: (me: Me) => me.scope === null || "supplier_id" in me.scope,
    whose: "Suppliers cannot be told apart by brand, and you see one brand.",
  },
} satisfies Record<string, Section>;

export type SectionName = keyof typeof SECTIONS;

/** The parts of the settings that somebody may look at, in their order. */
export function sectionsFor(me: Me): Section[] {
  return Object.values(SECTIONS).filter((section) => section.readable(me));
}

/** What is around a part of the settings: the head, the way to the other parts, and a word to those who may not see it. */
export function SettingsSection({
  name,
  line,
  action,
  children,
}: {
  name: SectionName;
  line: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  const me = useMe();
  const [path] = useLocation();
  const section: Section = SECTIONS[name];
  const readable = section.readable(me);
  return (
    <>
      <PageHead title="Settings" line={line} action={readable ? action : undefined} />
      <nav className="subnav" aria-label="Settings">
        {sectionsFor(me).map(({ path: to, title }) => (
          <Link key={to} href={to} {...(path.startsWith(to) ? { "aria-current": "page" as const } : {})}>
            {title}
          </Link>
        ))}
      </nav>
      {readable ? (
        children
      ) : (
        <Empty>
          {section.whose} You are signed in as {me.role}; ask an administrator if you need more.
        </Empty>
      )}
    </>
  );
}
