using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace PSModel.Core.Authentication;

/// <summary>Asks a credential helper of Docker's, a program of the user's own. Stateless and thread-safe.</summary>
/// <remarks>The protocol is that of docker-credential-helpers: <c>get</c>, the registry on the standard input, JSON on the standard
/// output.</remarks>
internal static class CredentialHelper
{
    /// <summary>The name under which a helper keeps an identity token.</summary>
    private const string TokenUser = "<token>";

    private const string Prefix = "docker-credential-";

    /// <summary>A helper may ask its user to unlock a safe.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Asks for the credential of a registry.</summary>
    /// <returns><see langword="null"/> where it has none.</returns>
    /// <exception cref="InvalidDataException">It could not be asked, or gave something else.</exception>
    public static RegistryCredential? Get(string name, string server, CancellationToken cancellationToken)
    {
        if (name.Length == 0 || !name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_'))
        {
            throw new InvalidDataException("its credential helper has no name of a program");
        }

        string program = Find(Prefix + name) ?? throw new InvalidDataException($"the credential helper {Prefix}{name} is not to be found");
        (int exit, string output) = Run(program, server, cancellationToken);

        // That it has none is told in words, and with an exit code that other failures share.
        string words = output.ToLowerInvariant();
        return exit == 0 ? Read(name, output)
            : words.Contains("not found") ? null
            : throw new InvalidDataException($"the credential helper {Prefix}{name} failed with the exit code {exit}");
    }

    /// <summary>By the path of programs alone: the system would look in the current folder too, where anybody may have put one.</summary>
    private static string? Find(string name)
    {
        string file = Path.DirectorySeparatorChar == '\\' ? $"{name}.exe" : name;
        return (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator)
            .Where(folder => folder.Length > 0 && folder.IndexOfAny(Path.GetInvalidPathChars()) < 0 && IsAbsolute(folder))
            .Select(folder => Path.Combine(folder, file))
            .FirstOrDefault(File.Exists);
    }

    private static bool IsAbsolute(string folder) => Path.IsPathRooted(folder) && (Path.DirectorySeparatorChar == '/' || folder.Length > 2);

    private static RegistryCredential? Read(string name, string output)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(output);
            string? user = document.RootElement.GetProperty("Username").GetString();
            string? secret = document.RootElement.GetProperty("Secret").GetString();
            return string.IsNullOrEmpty(secret) ? null
                : user == TokenUser ? RegistryCredential.OfIdentityToken(secret!)
                : RegistryCredential.OfUser(user ?? string.Empty, secret!);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // Its output may be a secret, and so may what the parser says of it.
            throw new InvalidDataException($"the credential helper {Prefix}{name} gave no credentials that can be read");
        }
    }

    private static (int Exit, string Output) Run(string program, string server, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new(program, "get")
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        try
        {
            using Process process = Process.Start(start) ?? throw new InvalidDataException($"the credential helper {program} did not start");
            using CancellationTokenRegistration killing = cancellationToken.Register(() => Kill(process));
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            Task<string> output = Task.Run(process.StandardOutput.ReadToEnd, CancellationToken.None);
            byte[] asked = Encoding.UTF8.GetBytes(server);
            process.StandardInput.BaseStream.Write(asked, 0, asked.Length);
            process.StandardInput.Close();
            bool hasEnded = process.WaitForExit((int)Patience.TotalMilliseconds);
            cancellationToken.ThrowIfCancellationRequested();
            if (!hasEnded)
            {
                Kill(process);
                throw new InvalidDataException($"the credential helper {program} gave no answer within {Patience.TotalSeconds:0} seconds");
            }

            // A child of it may hold the pipe.
            return output.Wait((int)Patience.TotalMilliseconds, cancellationToken)
                ? (process.ExitCode, output.Result)
                : throw new InvalidDataException($"the credential helper {program} left its output open");
        }
        catch (Exception e) when (e is Win32Exception or IOException or AggregateException)
        {
            throw new InvalidDataException($"the credential helper {program} could not be run ({e.Message})", e);
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or NotSupportedException)
        {
            // It has ended.
        }
    }
}
