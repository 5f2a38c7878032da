"""The MAC manager: blocks of MAC addresses for whoever hands them out."""
