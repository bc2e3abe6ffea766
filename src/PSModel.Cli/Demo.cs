using System.Globalization;
using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Shows the module at work against a registry in this very process.</summary>
internal static class Demo
{
    private const long ModelSize = 256 * 1024 * 1024;

    /// <returns>The exit code: 0 where every command succeeded.</returns>
    public static async Task<int> RunAsync()
    {
        string store = Path.Combine(Path.GetTempPath(), "psmodel-demo", DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture));
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", ModelSize);
        return await PowerShellTool.RunFileAsync(
            Path.Combine(AppContext.BaseDirectory, "Demo.ps1"),
            "-Module", PowerShellTool.Module,
            "-Name", registry.Offer(model),
            "-Digest", model.Blobs[0].Digest,
            "-StorePath", store);
    }
}
