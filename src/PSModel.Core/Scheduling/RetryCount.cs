namespace PSModel.Core.Scheduling;

/// <summary>What follows from an attempt that brought nothing: fewer lanes where the server serves the others, a retry after a
/// backoff where it serves nobody, and in the end the blob's failure. Pure, as the <see cref="Scheduler"/> that asks it. Times
/// are in milliseconds.</summary>
internal sealed class RetryCount(ScheduleOptions options, LaneLimit limit)
{
    /// <summary>A backoff never grows beyond this; a server's Retry-After may.</summary>
    private const long LongestBackoff = 60_000;

    /// <summary>A lane that is refused for the first time asks once more after so long.</summary>
    private const int SecondTry = 150;

    /// <summary>Failures of one blob that are not counted, since others are served, before they are.</summary>
    private const int MostExcused = 32;

    private long _servedAt = long.MinValue;

    /// <summary>Bytes came, or an answer that will bring some.</summary>
    public void NoteServed(long now) => _servedAt = now;

    /// <summary>An attempt failed for a transient reason and brought nothing.</summary>
    /// <param name="lane">Whose attempt it was.</param>
    /// <param name="blob">The blob.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="lanes">All lanes.</param>
    /// <param name="begun">When the attempt began.</param>
    /// <param name="now">The time.</param>
    /// <returns>Why the blob fails for good; <see langword="null"/> where it does not.</returns>
    public Exception? Fail(LaneSchedule lane, BlobSchedule blob, FetchFailure failure, IReadOnlyList<LaneSchedule> lanes, long begun, long now)
    {
        if (!IsExcused(blob, failure, lanes, begun))
        {
            return Count(blob, failure, begun, now);
        }

        Excuse(lane, blob, failure, lanes.Count - 1, now);
        return null;
    }

    /// <summary>Whether the failure says that there are too many lanes, rather than that the blob cannot be had. What the lane itself
    /// had brought just before it asked says nothing.</summary>
    private bool IsExcused(BlobSchedule blob, FetchFailure failure, IReadOnlyList<LaneSchedule> lanes, long begun) =>
        blob.Excused < MostExcused
        && ((failure.IsRefusal && _servedAt > begun)
            || lanes.Any(other => other.IsReceiving && (failure.IsRefusal || other.Segment?.Blob == blob)));

    private void Excuse(LaneSchedule lane, BlobSchedule blob, FetchFailure failure, int others, long now)
    {
        blob.Excused++;
        if (lane.Refusals++ == 0 && failure.RetryAfter is null)
        {
            lane.NotBefore = now + SecondTry + options.Random.Next(SecondTry);
            return;
        }

        lane.Refusals = 0;
        lane.MustLeave = true;
        limit.Refuse(others, failure.RetryAfter, now);
    }

    /// <summary>Lanes that fail together count as one retry.</summary>
    private Exception? Count(BlobSchedule blob, FetchFailure failure, long begun, long now)
    {
        if (begun <= blob.CountedAt)
        {
            return null;
        }

        blob.CountedAt = now;
        if (blob.Retries++ >= options.MaximumRetries)
        {
            return failure.Error;
        }

        // The first retry comes soon, the others with the documented backoff.
        double backoff = blob.Retries == 1 ? options.RetryInterval / 10.0 : options.RetryInterval * Math.Pow(2, Math.Min(blob.Retries - 1, 20));
        double jitter = 0.75 + (options.Random.NextDouble() / 2);
        blob.NotBefore = now + (failure.RetryAfter ?? (long)(Math.Min(backoff, LongestBackoff) * jitter));
        return null;
    }
}
