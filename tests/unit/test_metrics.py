from read_models.metrics.metrics import EmailTotals, metrics_of, percent


def test_rates_are_percentages_of_the_emails_sent():
    metrics = metrics_of(EmailTotals(sent=245, opened=167, clicked=59, bounced=4, unsubscribed=1, replied=31))

    assert (metrics.open_rate, metrics.click_rate) == (68.16, 24.08)
    assert (metrics.bounce_rate, metrics.unsubscribe_rate, metrics.reply_rate) == (1.63, 0.41, 12.65)


def test_click_to_open_is_clicked_of_opened():
    assert metrics_of(EmailTotals(sent=100, opened=8, clicked=2)).click_to_open_rate == 25.0


def test_nothing_measured_is_null_and_not_zero():
    metrics = metrics_of(EmailTotals())

    assert metrics.sent == 0
    rates = ("open_rate", "click_rate", "click_to_open_rate", "bounce_rate", "unsubscribe_rate", "reply_rate")
    assert [getattr(metrics, rate) for rate in rates] == [None] * 6
    assert metrics.avg_time_to_open_seconds is None


def test_time_to_open_is_the_mean_over_emails_whose_open_has_a_time():
    assert (
        metrics_of(EmailTotals(sent=9, opened=4, timed_opens=3, seconds_to_open=100)).avg_time_to_open_seconds == 33.33
    )


def test_a_share_of_nothing_is_no_number():
    assert percent(0, 0) is None
    assert percent(0, 3) == 0.0
