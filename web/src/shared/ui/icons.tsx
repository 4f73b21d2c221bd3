const PATHS = {
  arrows: 'M5 9h13l-3.5-3.5M19 15H6l3.5 3.5',
  bag: 'M6.5 8h11l.9 11.2H5.6L6.5 8ZM9 8V6.8a3 3 0 0 1 6 0V8',
  bell: 'M6.5 16.5h11l-1.2-2V11a4.3 4.3 0 0 0-8.6 0v3.5l-1.2 2ZM10.3 19a1.9 1.9 0 0 0 3.4 0',
  check: 'm5.5 12.5 4.2 4.2 8.8-9.2',
  chevron: 'm7 10 5 5 5-5',
  copy: 'M9 9h9.5v9.5H9zM15 9V5.5H5.5V15H9',
  cross: 'm6.5 6.5 11 11m0-11-11 11',
  eye: 'M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12Zm9.2 2.7a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4Z',
  eyeOff:
    'm4 4 16 16M9.9 6.1A9 9 0 0 1 12 5.8c6 0 9.2 6.2 9.2 6.2a15 15 0 0 1-2.6 3.3M6.3 7.8A15 15 0 0 0 2.8 12S6 18.2 12 18.2a9 9 0 0 0 4.3-1.1M10.1 10.2a2.7 2.7 0 0 0 3.7 3.7',
  left: 'm14 6.5-5.5 5.5 5.5 5.5',
  plus: 'M12 5.5v13M5.5 12h13',
  pulse: 'M3.5 12.5h4l2.5-6 4 11 2.5-5h4',
  refresh: 'M18.5 8.5A7.2 7.2 0 1 0 19.2 12m0-6v3h-3',
  right: 'm10 6.5 5.5 5.5-5.5 5.5',
  trash: 'M5.5 7.5h13M10 7.5V5.3h4v2.2M7.3 7.5l.8 11.2h7.8l.8-11.2',
  user: 'M12 12a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2ZM5.2 19.2c1-3 3.6-4.4 6.8-4.4s5.8 1.4 6.8 4.4',
  warning: 'M12 4.8 3.6 19.2h16.8L12 4.8ZM12 10v4.2m0 2.4v.1',
} as const;

export type IconName = keyof typeof PATHS;

/** A decoration: the text next to it says the same. */
export function Icon({ name, className = 'size-5' }: { name: IconName; className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 24 24" className={`shrink-0 ${className}`} fill="none">
      <path
        d={PATHS[name]}
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
