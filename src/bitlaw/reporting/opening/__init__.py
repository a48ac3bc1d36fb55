"""What a report opens with: a card per question, how sure, under which laws, and for which models."""
