using PSModel.Loopback;

namespace PSModel.Cli;

/// <summary>Models that misbehave as their names say.</summary>
internal static class FaultyModels
{
    private static readonly Dictionary<string, Action<LoopbackAnswer>> Faults = new()
    {
        ["flipped"] = answer => answer.FlipAt = answer.Content.Length / 2,
        ["cut"] = answer => answer.CutAfter = Math.Min(answer.Length, Math.Max(1, answer.Content.Length / 5)),
        ["lost"] = answer => answer.Become(404, "{}", "application/json"),
        ["private"] = answer => answer.Become(401, "{}", "application/json"),
        ["portal"] = answer => answer.Become(200, "<html>Please sign in.</html>", "text/html"),
    };

    public static IEnumerable<string> Names => Faults.Keys;

    /// <summary>Changes the answers for the weights of the models above.</summary>
    public static void Misbehave(LoopbackRequest request, LoopbackAnswer answer)
    {
        const int ModelPart = 3;
        const int SmallestWeights = 1000;
        string model = request.Path.Split('/')[ModelPart];
        if (request.IsBlob && answer.Content.Length > SmallestWeights && Faults.TryGetValue(model, out Action<LoopbackAnswer>? fault))
        {
            fault(answer);
        }
    }
}
