# Answers of R to the cases of statistics_comparison.py, one "case<TAB>answer" a line.
suppressPackageStartupMessages(library(survival))
fixtures <- commandArgs(trailingOnly = TRUE)[1]
say <- function(case, ...) cat(case, "\t", sprintf(...), "\n", sep = "")
versions <- paste("R", getRversion(), "survival", packageVersion("survival"))

days <- rep(365, 19)
none <- rep(0, 19)
log <- survfit(Surv(days, none) ~ 1)
loglog <- survfit(Surv(days, none) ~ 1, conf.type = "log-log")
say("no events", "log (default): %.2f to %.2f; log-log: %s to %s",
    log$lower, log$upper, loglog$lower, loglog$upper)

group <- rep(0:1, each = 19)
test <- suppressWarnings(survdiff(Surv(rep(365, 38), rep(0, 38)) ~ group))
p <- suppressWarnings(pchisq(test$chisq, sum(test$exp > 0) - 1, lower.tail = FALSE))
say("log-rank without events", "chi-squared %g on %d df, p %s", test$chisq,
    sum(test$exp > 0) - 1, ifelse(is.nan(p), "NA", format(p)))

fit <- suppressWarnings(coxph(
  Surv(c(rep(400, 19), 200:218), c(none, rep(1, 12), rep(0, 7))) ~ group))
say("Cox under separation", "coefficient %.1f, error %.0f, and a warning",
    coef(fit), sqrt(vcov(fit)))

negative <- survfit(Surv(c(-5, 10, 20), c(1, 1, 0)) ~ 1)
say("negative duration", "accepted: survival %s",
    paste(sprintf("%.2f", negative$surv), collapse = ", "))

mgus2 <- read.csv(file.path(fixtures, "mgus2.csv"))
incidence <- survfit(Surv(months, factor(cause, 0:2)) ~ 1, data = mgus2)
say("competing risks with ties", "%.7f", summary(incidence, times = 60)$pstate[2])

if (requireNamespace("MatchIt", quietly = TRUE)) {
  versions <- paste(versions, "MatchIt", packageVersion("MatchIt"))
  x <- data.frame(treated = rep(1:0, each = 19), feature = rep(1:0, each = 19))
  before <- MatchIt::matchit(treated ~ feature, x, method = NULL,
                             distance = "mahalanobis")
  say("19 of 19 against 0 of 19", "MatchIt: %s",
      summary(before)$sum.all["feature", "Std. Mean Diff."])
}
if (requireNamespace("tableone", quietly = TRUE)) {
  versions <- paste(versions, "tableone", packageVersion("tableone"))
  x <- data.frame(treated = rep(1:0, each = 19), feature = rep(1:0, each = 19))
  table <- tableone::CreateCatTable("feature", "treated", x, smd = TRUE)
  say("19 of 19 against 0 of 19", "tableone: %.2f", tableone::ExtractSmd(table)[1])
}

lalonde <- read.csv(file.path(fixtures, "lalonde.csv"))
lalonde$black <- as.integer(lalonde$race == "black")
logistic <- glm(treat ~ age + educ + black + married + nodegree + re74 + re75,
                binomial, lalonde)
say("logistic regression", "%.4f", coef(logistic)["black"])

tied <- suppressWarnings(wilcox.test(c(rep(1, 7), rep(0, 4))))
say("Wilcoxon with ties", "%.4f, warning that it is not exact", tied$p.value)
cat("versions\t", versions, "\n", sep = "")
