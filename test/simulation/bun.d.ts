declare module "bun" {
  /** Lets modules be found that no file holds. */
  export function plugin(options: {
    name: string;
    setup(build: { module(name: string, load: () => { loader: "object"; exports: Record<string, unknown> }): void }): void;
  }): void;
}
