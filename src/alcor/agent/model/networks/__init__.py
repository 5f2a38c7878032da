"""What the host knows of networks beside their neighbours. Pure."""
