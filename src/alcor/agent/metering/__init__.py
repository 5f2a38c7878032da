"""What was counted under metering labels."""
