# Every summary once more in R, from the facts row by row: base R and survival.
#
# Rscript recompute.R FOLDER. The folder holds questions.csv (id, facts, measure, by,
# window, site, sex, centre), groups.csv (column, code, place, known), features.csv
# (feature, code) and the files of facts; numbers.json is written beside them. Texts are
# quoted, an empty field is no value. JSON is written by hand, base R having none.
suppressMessages(library(survival))
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, name), colClasses = "character",
                                na.strings = "", check.names = FALSE)

json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste0('"', names(x), '":', parts, collapse = ","), "}"))
  }
  if (length(x) != 1) return(paste0("[", paste(vapply(x, json, ""), collapse = ","), "]"))
  if (is.character(x)) return(paste0('"', x, '"'))
  if (is.na(x) || is.infinite(x)) return("null")
  if (is.logical(x)) return(if (x) "true" else "false")
  sprintf("%.17g", x)
}
many <- function(x) as.list(unname(x))  # an array, however short

estimate <- function(value, lower = NA, upper = NA)
  list(value = value, lower = lower, upper = upper)
share <- function(x, n) {
  if (n == 0) return(estimate(NA))
  limits <- binom.test(x, n)$conf.int
  estimate(x / n, limits[1], limits[2])
}
counted <- function(x, n) list(n = x, proportion = share(x, n))
rate <- function(x, years) {
  if (years == 0) return(estimate(NA))
  limits <- 100 * poisson.test(x, years)$conf.int
  estimate(100 * x / years, limits[1], limits[2])
}
reachable <- function(p, smallest)
  list(p_value = if (smallest <= 0.05 * (1 + 1e-9)) p else NA, smallest_p = smallest)
rate_ratio <- function(x, years, y, other) {
  if (years == 0 || other == 0 || x + y == 0) return(c(estimate(NA), list(p_value = NA)))
  r <- poisson.test(c(x, y), c(years, other))
  every <- sapply(0:(x + y), function(k) binom.test(k, x + y, years / (years + other))$p.value)
  c(estimate(if (y) x / y * other / years else NA, r$conf.int[1],
             if (y) r$conf.int[2] else NA), reachable(r$p.value, min(every)))
}
wilson <- function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE)$conf.int)
newcombe <- function(x, n, y, m) {
  a <- wilson(x, n); b <- wilson(y, m); p <- x / n; q <- y / m
  estimate(p - q, p - q - sqrt((p - a[1])^2 + (b[2] - q)^2),
           p - q + sqrt((a[2] - p)^2 + (q - b[1])^2))
}
# Sampled p values are compared within their error.
sampled <- function(p, draws) list(near = p, draws = draws)

same_margins <- function(m) {
  a <- max(0, sum(m[1, ]) + sum(m[, 1]) - sum(m)):min(sum(m[1, ]), sum(m[, 1]))
  lapply(a, function(k) matrix(c(k, sum(m[, 1]) - k, sum(m[1, ]) - k,
                                 sum(m[2, ]) - sum(m[, 1]) + k), 2))
}
test_of_table <- function(m) {
  m <- m[rowSums(m) > 0, , drop = FALSE]
  m <- m[, colSums(m) > 0, drop = FALSE]
  if (min(dim(m)) < 2) return(list(p_value = NA))
  plain <- suppressWarnings(chisq.test(m, correct = FALSE))
  if (min(plain$expected) >= 5)
    return(list(p_value = plain$p.value, statistic = plain$statistic, df = plain$parameter))
  if (all(dim(m) == 2)) {
    every <- sapply(same_margins(m), function(t) fisher.test(t)$p.value)
    return(reachable(fisher.test(m)$p.value, min(every)))
  }
  # Of tables with dozens of rows R 4.2.2's exact p is far from its own simulated one.
  exact <- NULL
  if (max(dim(m)) <= 6)
    exact <- tryCatch(fisher.test(m, workspace = 2e6)$p.value, error = function(e) NULL)
  if (!is.null(exact)) return(list(p_value = sampled(exact, 9999), smallest_p = "share"))
  p <- fisher.test(m, simulate.p.value = TRUE, B = 9999)$p.value
  list(p_value = sampled(p, 9999), smallest_p = "share")
}
odds_ratio <- function(m) {
  if (any(rowSums(m) == 0) || any(colSums(m) == 0)) return(estimate(NA))
  expected <- outer(rowSums(m), colSums(m)) / sum(m)
  if (min(expected) >= 5 && min(m) > 0) {
    value <- m[1, 1] * m[2, 2] / (m[1, 2] * m[2, 1]); s <- qnorm(0.975) * sqrt(sum(1 / m))
    return(estimate(value, value * exp(-s), value * exp(s)))
  }
  conditional(m[1, 1], sum(m[, 1]), sum(m[, 2]), sum(m[1, ]))
}
# The equations of fisher.test, solved further than it does.
conditional <- function(x, m, n, k) {
  support <- max(0, k - n):min(k, m)
  base <- dhyper(support, m, n, k, log = TRUE)
  d <- function(log_odds) { p <- base + support * log_odds; p <- exp(p - max(p)); p / sum(p) }
  solve <- function(f) exp(uniroot(f, c(-60, 60), tol = 1e-14)$root)
  low <- min(support); high <- max(support)
  estimate(
    if (x == low) 0 else if (x == high) NA else solve(function(l) sum(support * d(l)) - x),
    if (x == low) 0 else solve(function(l) sum(d(l)[support >= x]) - 0.025),
    if (x == high) NA else solve(function(l) sum(d(l)[support <= x]) - 0.025))
}

true <- function(x) !is.na(x) & x == "True"
number <- function(x) as.numeric(x)
YEAR <- 365.25
TOLD <- c(365, 730, 1826)

# --- curves ---------------------------------------------------------------------------
course <- function(rows, survival, events) {
  days <- number(rows[[paste0(survival, "_days")]])
  ended <- true(rows[[paste0(survival, "_event")]])
  first <- rep(FALSE, nrow(rows))
  for (e in events) {
    same <- number(rows[[paste0(e, "_days")]]) == days
    first <- first | (true(rows[[paste0(e, "_event")]]) & !is.na(same) & same)
  }
  data.frame(days = days, cause = ifelse(ended, ifelse(first, 1, 2), 0))[!is.na(days), ]
}
half_year <- function(d, last) {
  ends <- round(seq_len(floor(last / YEAR * 2) + 1) * YEAR / 2)
  many(tabulate(findInterval(d, ends, left.open = TRUE) + 1, length(ends)))
}
beta_limits <- function(n, d, passed) {
  mean <- 1; square <- 1
  for (i in seq_len(passed)) {
    mean <- mean * (n[i] - d[i] + 1) / (n[i] + 1)
    square <- square * (n[i] - d[i] + 1) * (n[i] - d[i] + 2) / ((n[i] + 1) * (n[i] + 2))
  }
  q <- function(p, mean, square) {
    size <- (mean - square) / (square - mean^2); qbeta(p, mean * size, (1 - mean) * size)
  }
  left <- if (passed < length(n)) n[passed + 1] else 0
  c(if (left) q(0.025, mean * left / (left + 1), square * left / (left + 2)) else 0,
    if (any(d[seq_len(passed)] > 0)) q(0.975, mean, square) else 1)
}
median_of <- function(days, event) {
  t <- summary(survfit(Surv(days, event) ~ 1, conf.type = "log-log"))$table
  estimate(t[["median"]], t[["0.95LCL"]], t[["0.95UCL"]])
}
curves <- function(x) {
  if (!nrow(x)) return(list(curve = NA, steps = NA, cumulative_incidence = NA,
                            died_first = NA, median_follow_up_days = NA))
  s <- survfit(Surv(days, cause > 0) ~ 1, data = x, conf.type = "log-log")
  inside <- s$surv > 1e-12 & s$surv < 1
  lower <- ifelse(inside, s$lower, NA); upper <- ifelse(inside, s$upper, NA)
  last <- max(x$days); k <- length(s$time)
  told <- lapply(TOLD, function(day) {
    i <- sum(s$time <= day)
    if (day > last && s$surv[k] > 1e-12) return(c(list(day = day), estimate(NA)))
    value <- if (i) s$surv[i] else 1
    limits <- if (i && inside[i]) c(lower[i], upper[i]) else beta_limits(s$n.risk, s$n.event, i)
    c(list(day = day), estimate(value, limits[1], limits[2]))
  })
  a <- incidence(x, s$time)
  told_incidence <- lapply(TOLD, function(day) {
    i <- sum(s$time <= day)
    if (day > last) return(c(list(day = day), estimate(NA)))
    c(list(day = day), if (i) estimate(a$value[i], a$lower[i], a$upper[i]) else estimate(0))
  })
  step <- 365 * max(1, ceiling(last / (365 * 12))); days <- seq(0, last, step)
  years <- sum(x$days) / YEAR; ended <- sum(x$cause > 0)
  follow_up <- median_of(x$days, x$cause == 0)
  at_risk <- many(s$n.risk)
  list(
    curve = list(days = many(s$time), survival = many(ifelse(s$surv < 1e-12, 0, s$surv)),
      lower = many(lower), upper = many(upper), at_risk = at_risk, events = many(s$n.event),
      censored = many(s$n.censor), n = nrow(x), n_events = ended, points = k,
      median = median_of(x$days, x$cause > 0)),
    steps = list(events = half_year(x$days[x$cause > 0], last),
                 censored = half_year(x$days[x$cause == 0], last)),
    at_risk = list(days = many(days), n = many(sapply(days, function(d) sum(x$days >= d)))),
    survival_at = told,
    survival_rate_per_100_person_years = c(rate(ended, years), list(person_years = years)),
    died_first = sum(x$cause == 2),
    cumulative_incidence = list(days = many(s$time), incidence = many(a$value),
      standard_error = many(a$error), lower = many(a$lower), upper = many(a$upper),
      at_risk = at_risk, events = many(a$events), n = nrow(x),
      n_events = sum(x$cause == 1), points = k, cause = 1),
    incidence_at = told_incidence,
    median_follow_up_days = follow_up$value, median_follow_up = follow_up)
}
incidence <- function(x, time) {
  events <- sapply(time, function(d) sum(x$days == d & x$cause == 1))
  f <- survfit(Surv(days, factor(cause, 0:2)) ~ 1, data = x, conf.type = "log-log")
  k <- which(f$states == "1")
  value <- f$pstate[, k]; error <- f$std.err[, k]
  known <- value > 1e-12 & value < 1 - 1e-12
  list(value = value, events = events, error = ifelse(value > 0, error, NA),
       lower = ifelse(known, f$lower[, k], NA), upper = ifelse(known, f$upper[, k], NA))
}

# --- measures -------------------------------------------------------------------------
EVENTS <- list(recurrence = list("rfs", "recurrence"),
               progression = list("pfs", c("recurrence", "regrowth")))
PAIN_SITES <- c("none", "local", "segmental", "below_level", "mixed")
PAIN_COURSES <- c("persistent", "new", "resolved", "never", "before_unknown")
PAIN_WINDOWS <- c("m3", "m6", "m12", "m24", "m60", "last")

of_events <- function(rows, q) {
  survival <- EVENTS[[q$measure]][[1]]; events <- EVENTS[[q$measure]][[2]]
  flags <- as.matrix(rows[paste0(events, "_event")])
  happened <- rowSums(!is.na(flags) & flags == "True") > 0
  days <- rep(NA_real_, nrow(rows))
  for (e in events) days <- ifelse(is.na(days), number(rows[[paste0(e, "_days")]]), days)
  dated <- sum(happened & !is.na(days)); years <- sum(days, na.rm = TRUE) / YEAR
  assessed <- sum(rowSums(!is.na(flags)) > 0)
  excluded <- table(rows[[paste0(survival, "_exclusion")]])
  c(list(n = nrow(rows), assessed = assessed, events = sum(happened),
         proportion = share(sum(happened), assessed), person_years = years,
         dated_events = dated, rate_per_100_person_years = rate(dated, years),
         deaths = sum(true(rows$death_event)), regrowths = sum(true(rows$regrowth_event)),
         new_lesions = sum(true(rows$new_lesion_event)),
         excluded = if (length(excluded)) as.list(setNames(as.vector(excluded), names(excluded))) else "none"),
    curves(course(rows, survival, events)))
}
improvement <- function(rows, q) {
  at <- function(name) rows[[paste0(name, "_", q$window)]]
  change <- at("mmcs_change"); seen <- !is.na(change)
  n <- sapply(c("improved", "unchanged", "worse"), function(c) sum(change[seen] == c))
  able <- sum(number(rows$mmcs_preop[seen]) != 1); assessed <- sum(seen)
  shifts <- table(number(rows$mmcs_preop[seen]), number(at("mmcs")[seen]))
  shift <- as.data.frame(shifts, stringsAsFactors = FALSE)
  shift <- if (assessed) shift[shift$Freq > 0, ] else shift[0, ]
  shift <- shift[order(number(shift$Var1), number(shift$Var2)), ]
  both <- sum(!is.na(rows$joa_total_preop) & !is.na(at("joa_total")) &
              !is.na(rows$joa_region_preop) & !is.na(at("joa_region")) &
              rows$joa_region_preop == at("joa_region"), na.rm = TRUE)
  rates <- number(at("joa_recovery_rate")); rates <- rates[!is.na(rates)]
  part <- if (length(rates)) quantile(rates, c(0.25, 0.5, 0.75)) else rep(NA, 3)
  changed <- n[[1]] + n[[3]]
  sign <- list(p_value = NA)
  if (changed) sign <- c(
    reachable(binom.test(n[[1]], changed)$p.value, binom.test(0, changed)$p.value),
    list(statistic = n[[1]], forward = n[[1]], backward = n[[3]], unchanged = n[[2]]))
  c(list(n = nrow(rows), assessed = assessed, events = n[[1]]), as.list(n),
    list(proportion = share(n[[1]], assessed), proportion_worse = share(n[[3]], assessed),
         able_to_improve = able, proportion_of_able = share(n[[1]], able),
         shift = lapply(seq_len(nrow(shift)), function(i) list(before = number(shift$Var1[i]),
                        after = number(shift$Var2[i]), n = shift$Freq[i])),
         sign_test = sign,
         joa_recovery = list(assessed = both, defined = length(rates),
           at_ceiling = both - length(rates), quartile_1 = part[[1]], median = part[[2]],
           quartile_3 = part[[3]])))
}
pain_at <- function(rows, window, asked) {
  at <- function(name) {
    column <- paste0(name, "_", window)
    stopifnot(column %in% names(rows))
    rows[[column]]
  }
  site <- at("residual_pain"); site <- site[!is.na(site)]; assessed <- length(site)
  sites <- sapply(PAIN_SITES, function(s) sum(site == s))
  at_site <- sapply(PAIN_SITES[2:4], function(s) sum(true(at(paste0("residual_", s, "_pain")))))
  any <- assessed - sites[["none"]]
  worst <- number(at("residual_pain_nrs")); worst <- worst[!is.na(worst)]
  courses <- at("segmental_pain_course")
  events <- switch(asked, any = any, mixed = sites[["mixed"]], at_site[[asked]])
  list(assessed = assessed, events = events, proportion = share(events, assessed),
       any = counted(any, assessed), sites = lapply(as.list(sites), counted, assessed),
       at_site = lapply(as.list(at_site), counted, assessed),
       nrs_4_or_more = counted(sum(worst >= 4), length(worst)),
       segmental_course = as.list(sapply(PAIN_COURSES, function(c) sum(courses == c, na.rm = TRUE))))
}
residual_pain <- function(rows, q) {
  visits <- lapply(setNames(PAIN_WINDOWS, PAIN_WINDOWS), function(w) pain_at(rows, w, q$site))
  c(list(n = nrow(rows)), visits[[q$window]], list(visits = visits))
}
mri_features <- function(rows, q) {
  found <- lapply(split(features$code, factor(features$feature, unique(features$feature))),
                  function(x) x)
  found <- mapply(function(name, codes) {
    n <- sapply(codes, function(c) sum(tolower(rows[[name]]) == tolower(c), na.rm = TRUE))
    list(assessed = sum(n), categories = lapply(as.list(n), counted, sum(n)))
  }, names(found), found, SIMPLIFY = FALSE)
  list(n = nrow(rows), assessed = sum(true(rows$has_preop_mri)), features = found)
}
volume <- function(rows, q) {
  years <- table(number(rows$surgery_year)); unknown <- sum(is.na(rows$surgery_year))
  told <- lapply(names(years), function(y) list(year = number(y), n = years[[y]]))
  list(n = nrow(rows), operated = sum(true(rows$has_operation)),
       years = c(told, if (unknown) list(list(year = NA, n = unknown))))
}
MEASURES <- list(recurrence = of_events, progression = of_events, improvement = improvement,
                 "residual-pain" = residual_pain, "mri-features" = mri_features, volume = volume)

# --- comparisons ----------------------------------------------------------------------
shares <- function(groups) {
  used <- which(vapply(groups, function(g) g$known && g$assessed > 0, NA))
  if (length(used) < 2) return(list(test = list(p_value = NA), differences = list()))
  x <- sapply(groups[used], `[[`, "events"); n <- sapply(groups[used], `[[`, "assessed")
  list(test = test_of_table(cbind(x, n - x)), differences = lapply(2:length(used), function(i)
    list(difference = newcombe(x[i], n[i], x[1], n[1]))))
}
mover <- function(a, b) lapply(seq_along(a), function(i) {
  p <- a[[i]]; q <- b[[i]]; value <- p$value - q$value
  c(list(day = p$day), estimate(value, value - sqrt((p$value - p$lower)^2 + (q$upper - q$value)^2),
                                value + sqrt((p$upper - p$value)^2 + (q$value - q$lower)^2)))
})
labelled <- function(x) data.frame(do.call(rbind, x), g = rep(seq_along(x), sapply(x, nrow)))
small <- function(sizes, expected) {
  used <- expected > 0
  min(sizes[used]) < 20 || min(expected[used]) < 10
}
logrank <- function(x) {
  if (length(x) < 2) return(list(p_value = NA))
  d <- labelled(x); d$e <- d$cause > 0
  sizes <- as.vector(table(d$g))
  lived <- vapply(d$days, function(t) sum(vapply(unique(d$days[d$e & d$days <= t]), function(u)
    sum(d$days == u & d$e) / sum(d$days >= u), 0)), 0)
  score <- d$e - lived
  observed <- as.vector(tapply(d$e, d$g, sum)); expected <- observed - as.vector(tapply(score, d$g, sum))
  found <- list(observed = many(observed), expected = many(expected))
  used <- expected > 1e-12
  if (sum(used) < 2 || max(abs(score)) < 1e-12) return(c(found, list(p_value = NA)))
  if (!small(sizes, ifelse(used, expected, 0))) {
    s <- survdiff(Surv(days, e) ~ g, data = d)
    df <- sum(s$exp > 0) - 1
    return(c(found, list(statistic = s$chisq, df = df, p_value = pchisq(s$chisq, df, lower.tail = FALSE))))
  }
  part <- d$g %in% which(used); score <- score[part]; g <- factor(d$g[part])
  apart <- function(g) (length(score) - 1) / sum(score^2) * sum(tapply(score, g, sum)^2 / table(g))
  statistic <- apart(g)
  others <- replicate(1000, apart(sample(g)))
  c(found, list(statistic = statistic, smallest_p = "share",
                p_value = sampled(mean(others >= statistic - 1e-9), 1000)))
}
gray <- function(x) {
  if (length(x) < 2) return(list(p_value = NA))
  d <- labelled(x)
  found <- list(observed = many(as.vector(tapply(d$cause == 1, d$g, sum))),
                competing = many(as.vector(tapply(d$cause == 2, d$g, sum))))
  # Only cmprsk has the test; the other one of this statistic is in Python.
  if (!requireNamespace("cmprsk", quietly = TRUE)) return(c(found, list(p_value = "chi-squared")))
  t <- tryCatch(cmprsk::cuminc(d$days, d$cause, d$g)$Tests, error = function(e) NULL)
  if (is.null(t) || !("1" %in% rownames(t))) return(c(found, list(p_value = "chi-squared")))
  c(found, list(p_value = "chi-squared",
                chi_squared = list(statistic = t["1", "stat"], p_value = t["1", "pv"], df = t["1", "df"])))
}
compare_events <- function(groups, rows, q) {
  survival <- EVENTS[[q$measure]][[1]]; events <- EVENTS[[q$measure]][[2]]
  x <- lapply(rows, course, survival, events)
  used <- which(vapply(groups, function(g) g$known, NA) & vapply(x, nrow, 1L) > 0)
  years <- function(i) sum(x[[i]]$days) / YEAR
  ended <- function(i) sum(x[[i]]$cause > 0)
  list(test = logrank(x[used]),
    differences = lapply(used[-1], function(i) list(
      rate_ratio = rate_ratio(ended(i), years(i), ended(used[1]), years(used[1])),
      survival_difference_at = mover(groups[[i]]$survival_at, groups[[used[1]]]$survival_at))),
    competing_risks = list(test = gray(x[used]), differences = lapply(used[-1], function(i) {
      a <- groups[[i]]; b <- groups[[used[1]]]
      list(rate_ratio = rate_ratio(a$dated_events, a$person_years, b$dated_events, b$person_years),
           incidence_difference_at = mover(a$incidence_at, b$incidence_at)) })))
}
compare_features <- function(groups) {
  known <- groups[vapply(groups, `[[`, NA, "known")]
  tests <- lapply(setNames(nm = names(groups[[1]]$features)), function(f) {
    used <- Filter(function(g) g$features[[f]]$assessed > 0, known)
    if (length(used) < 2) return(list(feature = f, p_value = NA, contrasts = list()))
    n <- lapply(used, function(g) sapply(g$features[[f]]$categories, `[[`, "n"))
    m <- do.call(rbind, n); total <- rowSums(m)
    contrasts <- list()
    for (i in 2:length(used)) for (k in seq_len(ncol(m))) if (m[i, k] + m[1, k] > 0)
      contrasts <- c(contrasts, list(list(category = colnames(m)[k],
        difference = newcombe(m[i, k], total[i], m[1, k], total[1]),
        odds_ratio = odds_ratio(rbind(c(m[i, k], total[i] - m[i, k]), c(m[1, k], total[1] - m[1, k]))))))
    c(list(feature = f), test_of_table(m), list(contrasts = contrasts))
  })
  list(tests = unname(tests))
}

answer <- function(q) {
  facts <- read(q$facts)
  if (!is.na(q$sex)) facts <- facts[!is.na(facts$sex) & facts$sex == q$sex, ]
  if (!is.na(q$centre)) facts <- facts[facts$centre_id == q$centre, ]
  if (!q$measure %in% c("mri-features", "volume")) facts <- facts[true(facts$has_operation), ]
  by <- if (is.na(q$by)) character() else strsplit(q$by, " ")[[1]]
  code <- function(column) ifelse(is.na(facts[[column]]), "-", facts[[column]])
  key <- if (length(by)) do.call(paste, c(lapply(by, code), sep = "|")) else rep("", nrow(facts))
  keys <- if (length(by)) unique(key) else ""
  places <- function(key) if (length(by)) mapply(function(column, c)
    number(groups$place[groups$column == column & groups$code == c]), by, strsplit(key, "|", fixed = TRUE)[[1]]) else 0
  order_of <- vapply(keys, function(k) paste(sprintf("%05d", places(k)), collapse = " "), "")
  keys <- keys[order(order_of)]
  is_known <- function(key) !length(by) || all(mapply(function(column, c)
    groups$known[groups$column == column & groups$code == c] == "True", by, strsplit(key, "|", fixed = TRUE)[[1]]))
  rows <- lapply(keys, function(k) facts[key == k, , drop = FALSE])
  told <- lapply(seq_along(keys), function(i)
    c(list(key = keys[i], known = is_known(keys[i])), MEASURES[[q$measure]](rows[[i]], q)))
  more <- if (q$measure %in% names(EVENTS)) compare_events(told, rows, q)
    else if (q$measure == "mri-features" && length(told)) compare_features(told)
    else if (q$measure == "mri-features") list(tests = "none")
    else if (q$measure == "volume") list(test = list(p_value = NA)) else shares(told)
  c(list(n_cases = nrow(facts), groups = told), more)
}
questions <- read("questions.csv"); groups <- read("groups.csv"); features <- read("features.csv")
set.seed(1)
told <- lapply(seq_len(nrow(questions)), function(i) answer(as.list(questions[i, ])))
writeLines(json(setNames(told, questions$id)), file.path(folder, "numbers.json"))
