namespace PSModel.Campaign.PowerCut;

/// <summary>A step that was written down: a letter as <c>Shim/store.c</c> says, and what belongs to it. Immutable.</summary>
/// <param name="Kind">The letter.</param>
/// <param name="Path">The file or folder; for a mark its text.</param>
/// <param name="To">Where a file was renamed to.</param>
/// <param name="Offset">Where bytes were written, or the length to which a file was cut.</param>
/// <param name="Bytes">What was written.</param>
internal sealed record DiskStep(char Kind, string Path, string To = "", long Offset = 0, byte[]? Bytes = null)
{
    /// <summary>Whether it changes what a file holds, rather than what a folder does.</summary>
    public bool IsOfData => Kind is 'W' or 'T';

    /// <summary>Whether it changes anything that can be lost.</summary>
    public bool IsChange => Kind is 'W' or 'T' or 'C' or 'R' or 'U' or 'M';
}
