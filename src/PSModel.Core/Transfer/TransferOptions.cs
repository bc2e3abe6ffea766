namespace PSModel.Core.Transfer;

/// <summary>How a model is fetched. Set it up before use; it is not watched afterwards.</summary>
public sealed class TransferOptions
{
    /// <summary>The most connections at a time, 1 or more.</summary>
    public int Connections { get; set; } = 16;

    /// <summary>Bytes a second for all connections together; 0 for no limit.</summary>
    public long BandwidthLimit { get; set; }

    /// <summary>Read each finished blob back and hash it again before it is committed.</summary>
    public bool ReadBack { get; set; }

    /// <summary>Fetch also what the store has.</summary>
    public bool Force { get; set; }

    /// <summary>Read what the store has, and fetch again what of it is wrong.</summary>
    public bool Repair { get; set; }

    /// <summary>Let blobs of a folder share their bytes with the files there, where the volume can do that; each is read once.</summary>
    public bool Link { get; set; }

    /// <summary>Nothing will be allowed: it is asked for what would be done.</summary>
    public bool IsDryRun { get; set; }

    /// <summary>The bytes that may wait between arrival and the slower of hash and disk, over all blobs; less where the process
    /// has little memory.</summary>
    internal long Window { get; set; } = 96L * 1024 * 1024;

    /// <summary>The bytes of a blob that may have arrived since its last checkpoint: what a crash costs at most.</summary>
    internal long LargestLoss { get; set; } = 96L * 1024 * 1024;

    /// <summary>The bytes between one checkpoint and the next.</summary>
    internal long CheckpointInterval { get; set; } = 16L * 1024 * 1024;

    /// <summary>How long a finished blob that no manifest names yet may seem untouched: Ollama cleans up after an hour.</summary>
    internal TimeSpan FreshInterval { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long another program may take from its look at the manifests to the first removal of a blob that none names, and from
    /// one to the next: <c>ollama rm</c> reads all manifests for each, and what cleans up reads them once for all.</summary>
    internal TimeSpan RemovalTime { get; set; } = TimeSpan.FromSeconds(1);
}
