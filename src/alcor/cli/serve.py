"""`alcor up`, `alcor agent` and `alcor config`: Alcor's own processes, and what they are set to."""


import typer

config_app = typer.Typer(no_args_is_help=True, help="What Alcor is set to.")
