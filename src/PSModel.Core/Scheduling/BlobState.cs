namespace PSModel.Core.Scheduling;

/// <summary>How far a blob has come in the schedule.</summary>
internal enum BlobState
{
    /// <summary>Bytes are missing.</summary>
    Open,

    /// <summary>Every byte was delivered.</summary>
    Arrived,

    /// <summary>It failed, or was taken back.</summary>
    Closed,
}
