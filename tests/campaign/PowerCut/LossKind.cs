namespace PSModel.Campaign.PowerCut;

/// <summary>What of that which was not safe a file system has kept when the power failed.</summary>
internal enum LossKind
{
    /// <summary>Nothing.</summary>
    All,

    /// <summary>Everything.</summary>
    Nothing,

    /// <summary>What files hold is lost, and what folders do is kept.</summary>
    Data,

    /// <summary>The other way round.</summary>
    Entries,

    /// <summary>Whatever came after some moment.</summary>
    Late,

    /// <summary>This and that.</summary>
    Some,

    /// <summary>This and that, and writes in part.</summary>
    Torn,

    /// <summary>Files have their lengths, and zeros in place of what was written.</summary>
    Zeros,
}
