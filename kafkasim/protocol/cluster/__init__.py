"""What the controller and leaders of partitions decide, and quotas."""
