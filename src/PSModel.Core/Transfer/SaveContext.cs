using PSModel.Core.Commit;
using PSModel.Core.Lanes;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>What the transfers of a call share. Immutable; its parts are thread-safe.</summary>
/// <param name="Source">Where bytes come from.</param>
/// <param name="Store">Where they go.</param>
/// <param name="Options">How.</param>
/// <param name="Schedule">What is fetched when.</param>
/// <param name="Pool">Fetches it.</param>
/// <param name="Commit">Commits a blob.</param>
/// <param name="Commits">Commits small blobs together.</param>
/// <param name="Leftovers">What earlier calls left.</param>
/// <param name="Tell">Told what users may want to know.</param>
internal sealed record SaveContext(
    ModelSource Source,
    ModelStore Store,
    TransferOptions Options,
    SharedSchedule Schedule,
    LanePool Pool,
    BlobCommit Commit,
    CommitQueue Commits,
    Leftovers Leftovers,
    Action<string> Tell);
