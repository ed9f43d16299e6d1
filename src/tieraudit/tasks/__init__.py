"""Finding the recurring tasks in calls: templates, clusters, names, types, recognisers; the only sklearn."""
