using System.Management.Automation;

namespace PSModel.Commands;

/// <summary>Takes the runners that Ollama knows, in any letters, and none at all: rows tell of none where their model was no list.</summary>
internal sealed class KnownRunnerAttribute : ValidateArgumentsAttribute
{
    /// <summary>In Ollama's order.</summary>
    public static readonly string[] Names = ["llamacpp", "ggml", "mlx"];

    /// <inheritdoc/>
    /// <exception cref="ValidationMetadataException">It is another one.</exception>
    protected override void Validate(object arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is string { Length: > 0 } name && !Names.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            throw new ValidationMetadataException($"The runners are {string.Join(", ", Names)}.");
        }
    }
}
