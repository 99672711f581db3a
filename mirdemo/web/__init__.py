from mirdemo.web import quick_gradio

quick_gradio.prepare()
