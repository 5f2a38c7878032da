"""What is wrong with a host, and what to do: `alcor doctor`. It looks, and changes nothing."""
