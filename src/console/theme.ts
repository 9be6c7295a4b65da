import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple } from "@mantine/core";

/** The one accent: a deep teal. */
const teal: MantineColorsTuple = [
  "#e9f6f5",
  "#d3ebe9",
  "#a8d8d4",
  "#79c3bd",
  "#4fb0a9",
  "#2f9c95",
  "#178078",
  "#0c6a63",
  "#085650",
  "#04423d",
];

/** The one scale of greys, barely warm. */
const gray: MantineColorsTuple = [
  "#f8f8f7",
  "#f1f1ef",
  "#e6e6e3",
  "#d8d8d4",
  "#bdbdb8",
  "#8f8f8a",
  "#6a6a66",
  "#51514d",
  "#363633",
  "#20201e",
];

/** The same scale for the dark scheme, in Mantine's order: text first, the deepest ground last. */
const dark: MantineColorsTuple = [
  "#dcdcd8",
  "#b4b4af",
  "#94948f",
  "#6d6d69",
  "#434340",
  "#343432",
  "#292927",
  "#1d1d1c",
  "#161615",
  "#0f0f0e",
];

const red: MantineColorsTuple = [
  "#fdf0ef",
  "#fadedc",
  "#f3bcb8",
  "#ea9690",
  "#e1756d",
  "#d65349",
  "#c73a2f",
  "#ad2d23",
  "#8f231b",
  "#6e1a14",
];

const QUICK = { transitionProps: { duration: 120 } };
const CLOSE = { "aria-label": "Close" };
const POPS = { ...QUICK, shadow: "none", withinPortal: true };

/** How the console looks: quiet, dense, borders instead of shadows, no motion over 150 ms. */
export const theme = createTheme({
  colors: { teal, gray, dark, red },
  primaryColor: "teal",
  primaryShade: { light: 7, dark: 4 },
  // What is filled is dark in the light scheme and light in the dark one; the library's own contrast knows one scheme alone.
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input);
    return input.variant === "filled" ? { ...colors, color: "var(--on-filled)" } : colors;
  },
  black: "#1b1b19",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  lineHeights: { xs: "1.35", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.4" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.25rem", lineHeight: "1.35" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.45" },
    },
  },
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "6px", xl: "6px" },
  defaultRadius: "md",
  spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
  shadows: { xs: "none", sm: "none", md: "none", lg: "none", xl: "none" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    // Links in running text are told apart by more than their colour.
    Anchor: { defaultProps: { underline: "always" } },
    Alert: { defaultProps: { variant: "light" } },
    Badge: { defaultProps: { variant: "light", tt: "none", fw: 500, radius: "sm" } },
    Button: { defaultProps: { fw: 500, size: "sm" } },
    Checkbox: { defaultProps: { size: "xs" } },
    Drawer: {
      defaultProps: { ...QUICK, closeButtonProps: CLOSE, position: "right", size: 480, overlayProps: { backgroundOpacity: 0.35 } },
    },
    // A banner is the page's own head; a dialog's is none.
    DrawerHeader: { defaultProps: { component: "div" } },
    HoverCard: { defaultProps: POPS },
    Menu: { defaultProps: { ...POPS, position: "bottom-end" } },
    Modal: { defaultProps: { ...QUICK, closeButtonProps: CLOSE, centered: true, overlayProps: { backgroundOpacity: 0.35 } } },
    ModalHeader: { defaultProps: { component: "div" } },
    MultiSelect: { defaultProps: { comboboxProps: POPS } },
    Notification: { defaultProps: { closeButtonProps: CLOSE, withBorder: true } },
    PasswordInput: { defaultProps: { visibilityToggleButtonProps: { "aria-label": "Show or hide what is typed" } } },
    Popover: { defaultProps: POPS },
    Select: { defaultProps: { comboboxProps: POPS } },
    Skeleton: { defaultProps: { radius: "sm" } },
    Table: { defaultProps: { fz: "sm" } },
    Tooltip: { defaultProps: { ...QUICK, openDelay: 250, withArrow: false } },
  },
});
