namespace PSModel.Core.Publishing;

/// <summary>How a blob came to be where it was to be published.</summary>
public enum PublishOutcome
{
    /// <summary>It was sent.</summary>
    Published,

    /// <summary>It was not there, and the registry took it from another repository of its own.</summary>
    Mounted,

    /// <summary>It was there.</summary>
    AlreadyPresent,
}
