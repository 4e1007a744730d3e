/** 16x16 line icons, drawn with the text's colour. */
const paths = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  arrowUp: 'M8 12.5v-9M4.5 7L8 3.5 11.5 7',
  question: 'M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12v.2',
  pause: 'M6 4.5v7M10 4.5v7',
  spin: 'M13 8a5 5 0 1 1-2-4',
  dash: 'M4 8h8',
  sync: 'M13 6.5A5.2 5.2 0 0 0 3.6 5M3 9.5A5.2 5.2 0 0 0 12.4 11M3.2 2.5V5h2.5M12.8 13.5V11h-2.5',
  drift: 'M2 6c2-2 4-2 6 0s4 2 6 0M2 11c2-2 4-2 6 0s4 2 6 0',
  heal: 'M8 13.2S2.5 10 2.5 6.2A2.9 2.9 0 0 1 8 5a2.9 2.9 0 0 1 5.5 1.2C13.500 10 8 13.200 8 13.200z',
  commit: 'M1.500 8h3.500M11 8h3.500M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
  undo: 'M3 7h6.500a3.500 3.500 0 0 1 0 7H6M3 7l3-3M3 7l3 3',
  eye: 'M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8zM8 9.800a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600z',
  pulse: 'M1.500 8h3l2-4.500 3 9L11.500 8h3',
  plus: 'M8 3.500v9M3.500 8h9',
  bell: 'M9 2L4 9h4l-1 5 5-7H8z',
  seal: 'M8 1.800l1.800 1.300 2.200.1.600 2.100 1.600 1.500-.8 2 .2 2.200-2.100.700L10 13.500 8 12.600l-2 .900-1.500-1.800-2.100-.700.200-2.200-.8-2 1.600-1.500.6-2.100 2.200-.1zM5.800 7.800l1.600 1.600 2.900-3',
  chevron: 'M6 4l4 4-4 4',
  box: 'M2.500 5L8 2l5.500 3v6L8 14l-5.500-3zM2.500 5L8 8l5.500-3M8 8v6',
  play: 'M5 3.500v9l7-4.500z',
  tag: 'M2.500 2.500h5l6 6-5 5-6-6zM5.500 5.500v.1',
  merge:
    'M4.500 5.500v5M4.500 7c0 2.500 3 3 5 3M4.500 5.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM4.500 13.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM11 11.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3z',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg
      className={name === 'spin' ? 'icon spin' : 'icon'}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.600"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
