using PSModel.Core.Metering;

namespace PSModel.Core.Publishing;

/// <summary>Who watches models being published.</summary>
public interface IPublishObserver : IModelObserver
{
    /// <summary>A blob is where it was to be published.</summary>
    void BlobFinished(PublishedBlob blob);
}
