using System.Management.Automation.Host;

namespace PSModel.Cli;

/// <summary>Tells PowerShell how wide the terminal is; nothing else of it is used.</summary>
internal sealed class TerminalRawInterface : PSHostRawUserInterface
{
    /// <summary>The width of what goes to a file or a pipe.</summary>
    private const int DefaultWidth = 120;

    private const int Height = 50;

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    public override Coordinates CursorPosition { get; set; }

    public override Coordinates WindowPosition { get; set; }

    public override int CursorSize { get; set; }

    public override Size BufferSize
    {
        get => new(Width, Height);
        set => throw Unsupported();
    }

    public override Size WindowSize
    {
        get => new(Width, Height);
        set => throw Unsupported();
    }

    public override Size MaxWindowSize => new(Width, Height);

    public override Size MaxPhysicalWindowSize => new(Width, Height);

    public override bool KeyAvailable => false;

    public override string WindowTitle { get; set; } = "psmodel";

    private static int Width => Console.IsOutputRedirected ? DefaultWidth : Math.Max(40, Console.WindowWidth);

    public override KeyInfo ReadKey(ReadKeyOptions options) => throw Unsupported();

    public override void FlushInputBuffer() => throw Unsupported();

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw Unsupported();

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw Unsupported();

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw Unsupported();

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw Unsupported();

    private static NotSupportedException Unsupported() => new("This program writes lines and reads no keys.");
}
