"""What machines and switches must hear, beside flows and answers."""
