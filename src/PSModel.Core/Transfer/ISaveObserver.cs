using PSModel.Core.Metering;

namespace PSModel.Core.Transfer;

/// <summary>Who watches models being saved.</summary>
public interface ISaveObserver : IModelObserver
{
    /// <summary>A blob is in the store.</summary>
    void BlobFinished(SavedBlob blob);
}
