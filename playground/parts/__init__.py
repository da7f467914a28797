"""What several pages show: the choice of drill-downs, experiments to try, samples, a run's claim."""
