"""Programs that use dagrad; not part of the installed packages."""
