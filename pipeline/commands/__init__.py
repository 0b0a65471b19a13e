"""The subcommands of `sentiflow`, a module each; heavy libraries are imported inside of them."""
