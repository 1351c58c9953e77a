# One task of bench_statistics.py in R: prints the best of some repetitions in seconds.
suppressPackageStartupMessages(library(survival))
arguments <- commandArgs(trailingOnly = TRUE)
task <- arguments[1]
n <- as.integer(arguments[3])
columns <- matrix(readBin(arguments[2], "double", 6 * n), nrow = n)
x <- data.frame(days = columns[, 1], cause = columns[, 2], treated = columns[, 3],
                age = columns[, 4], size = columns[, 5])
x$event <- as.numeric(x$cause == 1)
run <- switch(task,
  "Kaplan-Meier" = function() survfit(Surv(days, event) ~ 1, x, conf.type = "log-log"),
  "log-rank" = function() survdiff(Surv(days, event) ~ treated, x),
  "Cox with check" = function() cox.zph(coxph(Surv(days, event) ~ treated + age + size, x)),
  "Aalen-Johansen" = function() survfit(Surv(days, factor(cause, 0:2)) ~ 1, x))
spent <- numeric(0)
while (length(spent) < 3 && sum(spent) < 20) {
  spent <- c(spent, system.time(run())[["elapsed"]])
}
cat(min(spent), "\n")
